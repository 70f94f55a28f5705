"""Access: who asked for it, who was granted what until when, and what was revoked."""

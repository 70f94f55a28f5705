"""Datasets: titles, versions, sources, and the head that commits to them."""

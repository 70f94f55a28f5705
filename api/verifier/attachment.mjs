export async function bundleIn(b){return b;}

"""JSON as columns: finding what values share, spelling it once, reading it back exactly, and showing a part of it."""

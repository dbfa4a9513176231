"""What others tell about tracks: each source an adapter behind one protocol."""

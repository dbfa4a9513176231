"""One module for each revision, never edited after its release."""

"""The log: lines of event and fields, redacted, queued and written in batches to the terminal, database and feed."""

"""What can be read of sessions over HTTP: entries, histories, events, savings, evolutions."""

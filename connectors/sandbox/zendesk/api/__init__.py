"""The REST API: one module per family of endpoints; `routes` ties them to paths."""

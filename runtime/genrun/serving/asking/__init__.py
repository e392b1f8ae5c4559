"""What a request asks for: its body checked against a schema, and read into settings of the library."""

"""What a session's settings hold beyond their plain fields: texts for its neighbours, and where its cameras stand."""

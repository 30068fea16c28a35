"""The team's memory: patterns with who pushed them and whom they helped, shared by a server, kept by each member."""

"""The host's side of cgi-lab: the command `lab`."""

"""Clients of banks as generators: they say what to send and are told what came back, and never touch a network."""

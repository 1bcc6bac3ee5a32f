"""Banks, the connections that users have to them, their accounts there, and the synchronisation of these."""

"""Banks, logins, accounts and what banks told of them in memory."""

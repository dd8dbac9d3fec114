"""The command line: `reward-server serve | grade | doctor | capabilities`."""

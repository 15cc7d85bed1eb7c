"""Arithmetic for those who check: it imports nothing of ours and shares no code with the sealer."""

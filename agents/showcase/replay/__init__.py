"""Replay of the retail data set: real calls, real proposals, real votes, known outcomes."""

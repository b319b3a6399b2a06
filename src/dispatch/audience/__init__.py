"""Subscribers, their consent and their segments."""

"""Pages for people: forms and what they lead to."""

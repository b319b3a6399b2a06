"""An edition as mail: composed once, spliced per person, handed to relays."""

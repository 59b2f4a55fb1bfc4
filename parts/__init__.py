"""What Newsite is made of, for those who keep lists of that."""

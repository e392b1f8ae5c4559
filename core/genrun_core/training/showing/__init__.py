"""What a person sees of a training: how long it takes, how it goes, what is off."""

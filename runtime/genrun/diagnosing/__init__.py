"""What is wrong with an installation or with a plugin, looked at in processes of their own."""

"""The built-in decoders, stages and choosers, in files by idea."""

"""Reads the graph of a model file and checks it before onnxruntime sees it: a file may come from a stranger."""

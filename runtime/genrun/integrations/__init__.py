"""Batches on a cluster: texts for the rows of Arrow tables, by Ray Data, Spark or Beam.

The packages of a cluster are imported only by the module that is named after them.
"""

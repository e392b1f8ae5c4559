"""The commands of the export half: ``genrun export`` and ``genrun try``."""

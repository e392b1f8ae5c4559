"""For authors of readers: files of any kind become documents, with the options that all readers have in common."""

from genrun.reading.corpus_file import CorpusFile
from genrun.reading.file_reader import FileReader
from genrun.reading.guessing import Guess, guess_reader

__all__ = ["CorpusFile", "FileReader", "Guess", "guess_reader"]

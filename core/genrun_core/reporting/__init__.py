"""What texts are like beside the documents of a corpus: copies, faults, lengths, and what tells them apart."""

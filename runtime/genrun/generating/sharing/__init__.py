"""Texts that are asked for at different times and places share the steps of running batches.

    submit ──▶ Scheduler ──deals──▶ Lane (a thread) ──admits──▶ Batch ──pieces, results──▶ Ticket

A text joins a batch at the batch's next step, and leaves it when it is finished or cancelled. It is the same text as
alone. A server for any protocol can stand on this room; the room knows of none.
"""

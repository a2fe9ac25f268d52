"""The papers' tables and figures as data: planned, run, filled, judged and printed."""

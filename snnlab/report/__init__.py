"""Tables and figures of papers, rebuilt from runs, and the HTML page of a run; imports no torch."""

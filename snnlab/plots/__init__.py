"""Pictures of results: each function draws plain data (rows, dictionaries, arrays) into one PNG file.

matplotlib is imported when a picture is drawn, not before.
"""

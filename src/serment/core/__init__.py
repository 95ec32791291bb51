"""The rules: values in, values out. Nothing here opens, sends, waits, logs or asks the time."""

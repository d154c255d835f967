"""An independent recomputation of every feature in plain pandas, record by record, from the written definitions alone."""

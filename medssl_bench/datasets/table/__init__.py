"""Tables of images: paths, labels, splits and patients, in CSV, TSV, JSON Lines or Parquet."""

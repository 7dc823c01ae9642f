"""All that knows torch: networks, data, preprocessing, training, reading."""

"""What campaigns spoil: small videos and stores, samples of every kind of file, and changes of them."""

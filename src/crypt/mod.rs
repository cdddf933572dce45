//! Encrypted and signed files: OpenPGP (RFC 9580), zip with AES. Bytes in, bytes out, within limits.

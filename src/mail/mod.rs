//! E-mail: the messages, and the two ways out (SMTP, a folder of .eml files).

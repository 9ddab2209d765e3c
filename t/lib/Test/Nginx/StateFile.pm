package Test::Nginx::StateFile;

# (C) ngx_http_webhook_module contributors

# Reads state files: a second implementation of what the module reads.

###############################################################################

use warnings;
use strict;

use base qw/ Exporter /;

our @EXPORT = qw/ state_keys state_key /;

###############################################################################

use Compress::Zlib qw/ crc32 /;
use Digest::SHA qw/ sha256 /;

###############################################################################

=head1 FUNCTIONS

=over

=item state_keys(text)

The keys of the events that are in such a file, in a list that the result
refers to; or why it cannot be read, or is not as good as new.

=item state_key(field, ...)

The key that is made of these fields.

=back

=cut

sub state_keys {
	my ($text) = @_;

	return 'wrong header' if length $text < 256
		or unpack('x132 V', $text) != crc32(substr $text, 0, 132);

	my $records = unpack('x12 V', $text);
	my @keys;

	return 'wrong size' if length $text != 256 * (1 + $records);

	foreach my $n (1 .. $records) {
		my $record = substr $text, 256 * $n, 256;

		return "record $n is damaged" if unpack('x252 V', $record)
			!= crc32(substr $record, 0, 252);

		# what is not free

		push @keys, map { substr $_, 0, 16 } grep { unpack 'x20 V', $_ }
			unpack '(a24)8', $record;
	}

	return \@keys;
}

sub state_key {
	my (@fields) = @_;

	return substr sha256(join '', map { pack('Q<', length $_) . $_ }
		@fields), 0, 16;
}

###############################################################################

1;

###############################################################################

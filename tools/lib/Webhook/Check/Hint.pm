package Webhook::Check::Hint;

# (C) ngx_http_webhook_module contributors

# What may have gone wrong with a request: the names of causes, the order in
# which they are told, and what is said of each.

###############################################################################

use warnings;
use strict;

use Exporter qw/ import /;

our @EXPORT_OK = qw/ hints_in_order hint /;

# what may have gone wrong, in the order in which it is tried

my %WHY = (
	other_scheme => 'right under the scheme "%s"',
	encoding => 'right with the digest read as %s',
	algorithm => 'right with the algorithm %s',
	prefix => 'right without the prefix of the digest',
	unit => 'right with the timestamp read in %s',
	secret_blanks => 'right without the blanks or quotes around the secret',
	secret_newline => 'right with a line end behind the secret',
	secret_raw => 'right with the text of the secret as the key',
	secret_decoded => 'right with the secret decoded as %s',
	secret_prefix => 'right with the prefix of the secret treated otherwise',
	secret_of => 'right with the secret of %s',
	secret_empty => 'right with an empty secret',
	url_scheme => 'right with http for https in the signed address',
	url_host => 'right under the host "%s"',
	url_port => 'right under the host "%s"',
	url_query => 'right without the query in the address',
	body_newline_added => 'right without the line end behind the body, which'
		. ' was added on the way or by the capture',
	body_newline_lost => 'right with a line end behind the body, which was'
		. ' lost on the way or by the capture',
	body_line_ends => 'right with the other kind of line ends in the body',
	body_bom => 'right without the byte order mark before the body',
	body_blanks => 'right with other blanks between the values of the JSON:'
		. ' it was parsed and written again on the way',
	body_slashes => 'right with "/" and "\/" exchanged: the JSON was parsed'
		. ' and written again on the way',
	body_escapes => 'right with "\u" escapes written otherwise: the JSON was'
		. ' parsed and written again on the way',
	body_empty => 'right over an empty body',
	content_encoding => 'the body is compressed: the provider signs what was'
		. ' compressed, or another secret',
	decompressed => 'right over the body without its compression',
	length => 'the digest is cut short, or too long',
	none => 'nothing that was tried fits: most likely it is another secret',
);

###############################################################################

sub hints_in_order {
	return qw/
		other_scheme encoding algorithm prefix length unit
		secret_blanks secret_newline secret_raw secret_decoded
		secret_prefix secret_of secret_empty url_scheme url_host
		url_port url_query body_newline_added body_newline_lost
		body_line_ends body_bom body_blanks body_slashes body_empty
		body_escapes decompressed content_encoding none
	/;
}

sub hint {
	my ($name, $value) = @_;

	return { name => defined $value && $name !~ /^url_/ ? "$name:$value" : $name,
		text => defined $value ? sprintf $WHY{$name}, $value : $WHY{$name} };
}

###############################################################################

1;

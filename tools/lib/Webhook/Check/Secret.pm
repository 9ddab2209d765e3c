package Webhook::Check::Secret;

# (C) ngx_http_webhook_module contributors

# Secrets: where those of a place come from, what they look like, and the keys
# that they are by the rules of a scheme.

###############################################################################

use warnings;
use strict;

use Exporter qw/ import /;

our @EXPORT_OK = qw/
	$PREFIX secrets secret_templates resolved_secrets form is_base64 key
	decode encode
/;

use Digest::SHA qw//;
use MIME::Base64 qw/ decode_base64 encode_base64 /;

use Webhook::Check::Conf qw/ absolute /;
use Webhook::Check::Output qw/ CONFIGURATION %opt fail /;
use Webhook::Check::Place qw/ effective /;
use Webhook::Check::System qw/ slurp /;

# prefixes that providers put before their secrets

our $PREFIX = qr/^(?:whsec_|v1,)/;

###############################################################################

# texts of the secrets of a place: undef for one that has variables, a
# reference to the source for keys of a file

sub secrets {
	my ($live, $place) = @_;

	my @sources = defined $opt{'secret-file'} ? "file:$opt{'secret-file'}"
		: map { @{$_->{args}} } effective($place, 'webhook_secret');

	my @texts;

	foreach my $source (@sources) {
		if ($source =~ /^file:(.*)/s) {
			my $file = absolute($live, $1);
			my $text = slurp($file);

			fail(CONFIGURATION, "$file cannot be read: $!")
				unless defined $text;

			push @texts, grep { !/^(?:#|[ \t]*$)/ }
				map { s/\r?\n?\z//r } split /^/, $text;

		} elsif ($source =~ /^(pem|jwks):(.*)/s) {
			push @texts, \"$1:${\absolute($live, $2)}";

		} elsif ($source =~ /^env:(.*)/s) {
			push @texts, $ENV{$1} if defined $ENV{$1};

		} else {
			push @texts, $source =~ /\$/ ? undef : $source;
		}
	}

	return @texts;
}

sub secret_templates {
	my ($place) = @_;

	return grep { !/^(?:file|env|pem|jwks):/ && /\$/ }
		map { @{$_->{args}} } effective($place, 'webhook_secret');
}

sub resolved_secrets {
	my ($live, $place, $vars) = @_;

	my @templates = secret_templates($place);

	return map { defined $_ ? $_
		: expand(shift @templates, $vars) } secrets($live, $place);
}

sub expand {
	my ($text, $vars) = @_;

	$text =~ s/\$\{?(\w+)\}?/defined $vars->{$1} ? $vars->{$1} : ''/ge;

	return $text;
}

# where the text of a secret is the key, and where it is decoded

sub form {
	my ($text) = @_;

	my $prefix = $text =~ s/($PREFIX)// ? "\"$1\" and " : '';

	return $prefix . ($text =~ /^(?:[0-9a-f]{2})+$/i ? 'hex'
		: is_base64($text) ? 'base64' : 'text');
}

sub is_base64 {
	my ($text) = @_;

	return length $text && length($text) % 4 == 0
		&& encode_base64(decode_base64($text), '') eq $text;
}

# the key of a secret by the rules of a scheme, or undef if it does not decode

sub key {
	my ($scheme, $text) = @_;

	foreach my $rule (@{$scheme->{secret} || []}) {
		my %rule = map { /^(\w+)=(.*)/s ? ($1 => $2) : ($_ => 1) } @$rule;
		my $prefix = defined $rule{prefix} ? $rule{prefix} : '';

		next if substr($text, 0, length $prefix) ne $prefix;

		$text = substr $text, length $prefix unless $rule{keep};

		my $key = decode($rule{encoding} || 'raw', $text);

		return $key unless defined $key && $rule{digest};
		return Digest::SHA->can($rule{digest})->($key);
	}

	return $text;
}

sub decode {
	my ($encoding, $text) = @_;

	return $text if $encoding eq 'raw';

	if ($encoding eq 'hex') {
		return $text =~ /^(?:[0-9a-f]{2})+$/i ? pack('H*', $text) : undef;
	}

	if ($encoding eq 'base64url') {
		$text =~ tr{-_}{+/};
		$text .= '=' x (-length($text) % 4);
	}

	return is_base64($text) ? decode_base64($text) : undef;
}

sub encode {
	my ($encoding, $bytes) = @_;

	return $bytes if $encoding eq 'raw';
	return unpack 'H*', $bytes if $encoding eq 'hex';
	return encode_base64(unpack('H*', $bytes), '')
		if $encoding eq 'base64-hex';

	my $text = encode_base64($bytes, '');

	$text =~ tr{+/=}{-_}d if $encoding eq 'base64url';

	return $text;
}

###############################################################################

1;

package Webhook::Check::Capture;

# (C) ngx_http_webhook_module contributors

# Captured requests, raw or in JSON, and the addresses that they were sent to.

###############################################################################

use warnings;
use strict;

use Exporter qw/ import /;

our @EXPORT_OK = qw/ read_requests unchunk cut_url /;

use JSON::PP qw//;
use MIME::Base64 qw/ decode_base64 /;

use Webhook::Check::Output qw/ USAGE fail warning /;
use Webhook::Check::Secret qw/ is_base64 /;
use Webhook::Check::System qw/ slurp /;

###############################################################################

sub read_requests {
	my ($file) = @_;

	my $text = $file eq '-' ? do { binmode STDIN; local $/; <STDIN> }
		: slurp($file);

	fail(USAGE, "$file cannot be read: $!") unless defined $text;

	return $text =~ /^\s*[\[{]/ ? json_requests($file, $text)
		: raw_request($file, $text);
}

sub json_requests {
	my ($file, $text) = @_;

	my $json = eval { JSON::PP->new()->utf8()->decode($text) };

	fail(USAGE, "$file is no JSON") unless ref $json;
	fail(USAGE, "$file has no captured request")
		if ref $json eq 'ARRAY' && !@$json;

	my @requests;

	foreach my $v (ref $json eq 'ARRAY' ? @$json : $json) {
		fail(USAGE, "$file is no captured request")
			unless ref $v eq 'HASH' and ref $v->{headers}
			and defined $v->{url} || defined $v->{uri};

		my @headers = ref $v->{headers} eq 'ARRAY' ? @{$v->{headers}}
			: map { [ $_, $v->{headers}{$_} ] }
				sort keys %{$v->{headers}};

		@headers = map { my ($name, $value) = @$_;
			map { [ $name, $_ ] } ref $value ? @$value : $value }
			@headers;

		utf8::encode($_->[1]) foreach @headers;

		my $body = $v->{body};

		if (defined $v->{body_base64}) {
			my $text = $v->{body_base64} =~ s/\s+//gr;

			fail(USAGE, "$file has a body that is no base64, or two")
				if defined $body || length $text && !is_base64($text);

			$body = decode_base64($text);

		} elsif (ref $v->{body_formula}) {
			$body = $v->{body_formula}{repeat}
				x $v->{body_formula}{count};

		} elsif (defined $body && !ref $body) {
			utf8::encode($body);
		}

		$body = '' unless defined $body;

		my ($host, $target) = cut_url(defined $v->{url} ? $v->{url}
			: $v->{uri});
		$target = $v->{uri} if defined $v->{uri};

		my ($given) = map { $_->[1] } grep { lc $_->[0] eq 'host' } @headers;

		unshift @headers, [ 'Host', $host ]
			if defined $host && !defined $given;
		$host = $given if defined $given;

		fail(USAGE, "$file is no captured request")
			if ref $body or grep { "@$_" =~ /[\r\n]/ } @headers
			or $target =~ /\s/ or ref $v->{method};

		push @requests, { method => $v->{method} || 'POST',
			target => $target, host => $host, headers => \@headers,
			body => $body, at => $v->{now}, name => $v->{name} };
	}

	return @requests;
}

sub raw_request {
	my ($file, $text) = @_;

	$text =~ s/^((?:[^\r\n]+\r?\n)+)\r?\n//
		or fail(USAGE, "$file is no captured request");

	my ($first, @lines) = split /\r?\n/, $1;

	$first =~ /^([A-Z]+) (\S+)(?: HTTP\/[\d.]+)?$/
		or fail(USAGE, "$file does not begin with the line of a request");

	my ($method, $target) = ($1, $2);

	my @headers = map { /^([^:\s]+):[ \t]*(.*?)[ \t]*$/s ? [ $1, $2 ]
		: fail(USAGE, "$file has a line that is no header") } @lines;

	my %headers = map { lc $_->[0] => $_->[1] } @headers;
	my $length = $headers{'content-length'};

	if (($headers{'transfer-encoding'} || '') =~ /chunked/i
		&& $text =~ /^[0-9a-f]+(?:;[^\r\n]*)?\r?\n/i)
	{
		my $body = unchunk($text);
		$text = $body if defined $body;

	} elsif (defined $length && $length =~ /^\d+$/ && $length != length $text) {
		warning("the body has " . length($text) . " bytes, and"
			. " Content-Length says $length");
	}

	my $host = $headers{host};

	if (!defined $host && $target =~ /^https?:/) {
		($host) = cut_url($target);
		unshift @headers, [ 'Host', $host ];
	}

	return { method => $method, target => $target, host => $host,
		headers => \@headers, body => $text };
}

sub unchunk {
	my ($text) = @_;

	my $body = '';

	while ($text =~ s/^([0-9a-f]{1,8})(?:;[^\r\n]*)?\r?\n//i) {
		my $size = hex $1;

		return $body if $size == 0;
		return if length $text < $size;

		$body .= substr $text, 0, $size, '';
		$text =~ s/^\r?\n// or return;
	}

	return;
}

sub cut_url {
	my ($url) = @_;

	return (undef, $url) if $url =~ m!^/!;

	$url =~ m!^https?://([^/?\s]+)([^\s#]*)$!
		or fail(USAGE, "\"$url\" is no address");

	my ($host, $target) = ($1, $2);

	return ($host, $target =~ m!^/! ? $target : "/$target");
}

###############################################################################

1;

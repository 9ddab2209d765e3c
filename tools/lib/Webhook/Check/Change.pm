package Webhook::Check::Change;

# (C) ngx_http_webhook_module contributors

# The request as it may have been: with another address or body than the one
# that was captured, and the hint that each of them stands for.

###############################################################################

use warnings;
use strict;

use Exporter qw/ import /;

our @EXPORT_OK = qw/ requests body_changes is_compressed /;

use Webhook::Check::Hint qw/ hint /;
use Webhook::Check::Scheme qw/ signed_text variables /;

###############################################################################

sub requests {
	my ($live, $place, $scheme, $request) = @_;

	my @changes;
	my @names = variables(signed_text($scheme));

	if (grep { /^(?:http_)?host$/ } @names) {
		my %headers = map { lc $_->[0] => $_->[1] } @{$request->{headers}};
		my ($host, $port) = $request->{host} =~ /^(.*?)(?::(\d+))?$/;

		my %seen = ($request->{host} => 1);

		foreach my $other ($headers{'x-forwarded-host'},
			map { @{$_->{names}} } @{$live->{places}})
		{
			next unless defined $other && $other ne $host
				&& $other =~ /^[\w.:-]+$/;

			push @changes, change('url_host', $request, $other)
				unless $seen{$other}++;
		}

		foreach my $other (defined $port ? $host : (), map { "$host:$_" }
			443, 80, 8443, 8080, $headers{'x-forwarded-port'} || ())
		{
			push @changes, change('url_port', $request, $other)
				unless $seen{$other}++;
		}
	}

	if ((grep { /^(?:request_uri|args|query_string)$/ } @names)
		&& $request->{target} =~ /^([^?]*)\?/)
	{
		push @changes, { hint => hint('url_query'),
			request => { %$request, target => $1 } };
	}

	return (@changes, body_changes($request));
}

sub change {
	my ($name, $request, $host) = @_;

	return { hint => hint($name, $host), request => { %$request,
		host => $host, headers => [ map { lc $_->[0] eq 'host'
			? [ 'Host', $host ] : $_ } @{$request->{headers}} ] } };
}

sub body_changes {
	my ($request) = @_;

	my $body = $request->{body};
	my (@changes, %seen);

	$seen{$body} = 1;

	my $add = sub {
		my ($name, @bodies) = @_;

		push @changes, map { { hint => hint($name),
			request => { %$request, body => $_ } } }
			grep { defined $_ && !$seen{$_}++ } @bodies;
	};

	$add->('body_newline_added', $body =~ s/\r?\n\z//r);
	$add->('body_newline_lost', "$body\n", "$body\r\n");
	$add->('body_line_ends', $body =~ s/\r\n/\n/gr,
		$body =~ s/(?<!\r)\n/\r\n/gr);
	$add->('body_bom', $body =~ s/^\xef\xbb\xbf//r);

	if ($body =~ /^\s*[\[{]/ && length $body <= 1048576) {
		$add->('body_blanks', spaced($body, ',', ':'),
			spaced($body, ', ', ': '), spaced($body, ',', ': '));
		$add->('body_slashes', $body =~ s!\\/!/!gr,
			$body =~ s!(?<\!\\)/!\\/!gr);
		$add->('body_escapes', unescaped($body), escaped($body));
	}

	$add->('body_empty', '');
	$add->('decompressed', decompressed($body)) if is_compressed($request);

	return @changes;
}

sub spaced {
	my ($text, $comma, $colon) = @_;

	my $out = '';

	while ($text =~ /\G("(?:[^"\\]|\\.)*"|\s+|[,:]|[^\s",:]+|")/gs) {
		my $token = $1;

		$out .= $token eq ',' ? $comma : $token eq ':' ? $colon
			: $token =~ /^\s/ ? '' : $token;
	}

	return $out;
}

sub unescaped {
	my ($text) = @_;

	$text =~ s{\\u(d[89ab]..)\\u(d[c-f]..)|\\u(?!00[01].|0022|005c|d[89a-f])
		([0-9a-f]{4})}{
		my $c = chr(defined $3 ? hex $3 : 0x10000
			+ ((hex($1) & 0x3ff) << 10) + (hex($2) & 0x3ff));
		utf8::encode($c);
		$c;
	}gixe;

	return $text;
}

sub escaped {
	my ($text) = @_;

	utf8::decode($text) or return;

	$text =~ s{([^\0-\x7f])}{
		my $c = ord $1;
		$c < 0x10000 ? sprintf '\\u%04x', $c : sprintf '\\u%04x\\u%04x',
			0xd800 + (($c - 0x10000) >> 10),
			0xdc00 + (($c - 0x10000) & 0x3ff);
	}gxe;

	utf8::encode($text);

	return $text;
}

sub is_compressed {
	my ($request) = @_;

	return $request->{body} =~ /^\x1f\x8b/
		|| grep { lc $_->[0] eq 'content-encoding'
			&& lc $_->[1] ne 'identity' } @{$request->{headers}};
}

sub decompressed {
	my ($body) = @_;

	return unless eval { require IO::Uncompress::AnyInflate; 1 };

	my $out = '';
	my $z = IO::Uncompress::AnyInflate->new(\$body) or return;

	# what is small may become too much

	while (length $out < 16 * 1024 * 1024) {
		my $n = $z->read($out, 65536, length $out);
		last unless defined $n && $n > 0;
	}

	return $out;
}

###############################################################################

1;

#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the seams of signed texts.  A genuine request is cut in all other
# ways that give the same text, so that its digest is right; none of them may
# pass, or it would be a request that nobody has signed.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Webhook;
use Test::Nginx::Providers;

use POSIX qw/ strftime /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $start = 1764000000;
my $secret = 'a secret of the seams test';

# those that sign more than the body, which is no form

my @names = grep { keys %{provider($_)->{signs}} > 1
	&& !provider($_)->{form} } providers();

# Schemes of one's own: what is signed, and what that is in a request.  Each is
# a kind of seam.

my %own = (
	'header' => [ '$http_x_id.$http_x_ts.$request_body',
		'{id}.{ts}.{body}' ],
	'event-id' => [ '$webhook_event_id.$webhook_timestamp.$request_body',
		'{id}.{ts}.{body}' ],
	'argument' => [ '$arg_id.$http_x_ts.$request_body',
		'{arg}.{ts}.{body}' ],
	'cookie' => [ '$cookie_id:$http_x_ts:$request_body',
		'{cookie}:{ts}:{body}' ],
	'request' => [ '$request_method $host$uri|$http_x_ts|$request_body',
		'{method} {host}{uri}|{ts}|{body}' ],
	'header-body' => [ '$http_x_ts.$http_x_id$request_body',
		'{ts}.{id}{body}' ],
	'query-body' => [ '$http_x_ts.$args$request_body',
		'{ts}.id={arg}{body}' ],
	'time-header-body' => [ '$http_x_ts$http_x_id$request_body',
		'{ts}{id}{body}' ],
	'body-header' => [ '$http_x_ts.$request_body.$http_x_id',
		'{ts}.{body}.{id}' ],
	'body-header-time' => [ '$request_body.$http_x_id.$http_x_ts',
		'{body}.{id}.{ts}' ],
	'body-time-header' => [ '$request_body$http_x_ts.$http_x_id',
		'{body}{ts}.{id}' ],
	'header-date' => [ '$http_x_id$http_x_ts$request_body',
		'{id}{ts}{body}', 'rfc3339' ],
	'body-date' => [ '$http_x_id.$request_body.$http_x_ts',
		'{id}.{body}.{ts}', 'rfc3339' ],
	'body-header-date' => [ '$request_body|$http_x_id$http_x_ts',
		'{body}|{id}{ts}', 'rfc3339' ],
	'open-date-dot' => [ '$http_x_ts.$request_body', '{ts}.{body}',
		'iso8601' ],
	'open-date-colon' => [ '$http_x_ts:$request_body', '{ts}:{body}',
		'iso8601' ],
	'header-body-header' => [ '$http_x_ts.$http_x_id$request_body$http_x_id',
		'{ts}.{id}{body}{id}' ],
	'body-http-date' => [ '$request_body$http_x_ts', '{body}{ts}', 'http' ],
	'body-long-literal' => [ '$http_x_ts.$request_body--$http_x_id',
		'{ts}.{body}--{id}' ],
	'server' => [ '$server_name$request_uri$request_body$http_x_ts',
		'own.example{uri}{body}{ts}' ],
);

my @own = sort keys %own;

# Test::Nginx::port() knows numbers only

my $n = 8100;
my %port = map { $_ => $n++ } @names, @own;

# what must be like this and is not, whoever has signed it

my @malformed = (
	[ 'header-body', id => 'a:b' ],
	[ 'header-body', id => 'a b' ],
	[ 'header-body', id => 'a' x 129 ],
	[ 'header-body', body => 'a' ],
	[ 'header-body', body => '-1' ],
	[ 'header-body-header', id => 'a:b' ],
	[ 'header-body-header', body => 'a' ],
	[ 'header-date', id => '20:00' ],
	[ 'header-date', id => 'a' x 129 ],
	[ 'query-body', arg => 'a"b' ],
	[ 'query-body', body => '&b=c' ],
	[ 'query-body', body => '(' ],
	[ 'server', uri => '/a"b' ],
	[ 'server', uri => '/a{b' ],
	[ 'server', uri => '/a/../b' ],
	[ 'server', uri => '/a/%2e./b' ],
	[ 'server', uri => '/a%2F.%2e' ],
	[ 'server', uri => '/./?' ],
	[ 'server', body => '/' ],
	[ 'argument', arg => 'a.b' ],
	[ 'cookie', cookie => 'a:b' ],
	[ 'request', uri => '/a|b' ],
	[ 'request', uri => '/a%7Cb', as => '/a|b' ],
	[ 'body-header', id => 'a.b' ],
	[ 'body-header-time', id => 'a.b' ],
	[ 'body-long-literal', id => 'a--b' ],
	[ 'open-date-dot', ts => '2025-11-24T16:00:00.5' ],
	[ 'open-date-dot', ts => '2025-11-24T16:00:00.5Z' ],
	[ 'body-long-literal', id => '-' ],
);

# and what is

my @formed = (
	[ 'header-body', id => 'Az09._+/=-' ],
	[ 'header-body', id => 'a' x 128 ],
	[ 'header-body', body => '' ],
	[ 'header-body', body => '[]' ],
	[ 'header-body', body => ' a' ],
	[ 'header-body', body => "\0a" ],
	[ 'header-body-header', body => '' ],
	[ 'header-body-header', body => '{id-1' ],
	[ 'query-body', arg => "-._~%21!\$&'()*+,;=:\@/?" ],
	[ 'query-body', arg => '/../' ],
	[ 'query-body', body => '' ],
	[ 'server', uri => '/.../a..b/.c/%2e%2e%2e?/../' ],
	[ 'header', id => 'a b:c|d' ],
	[ 'body-header', id => 'a b' ],
	[ 'body-date', ts => '2025-11-24T16:00:00.25Z' ],
	[ 'open-date-dot', ts => '2025-11-24T18:00:00+02:00' ],
	[ 'open-date-colon', ts => '2025-11-24T16:00:00.5' ],
	[ 'open-date-colon', ts => '2025-11-24T18:00:00+02:00' ],
	[ 'body-date', ts => '2025-11-24T17:00:00.5+01:00' ],
	[ 'body-long-literal', id => 'a-b' ],
	[ 'body-header-date', body => '|a|' ],
);

my @missing = (
	[ 'argument', arg => '' ],
	[ 'cookie', cookie => '' ],
	[ 'query-body', args => '' ],
);

my $t = Test::Nginx->new()->has(qw/http proxy rewrite/)->has_faketime();

$t->plan(2 * (@names + @own) + 2 * @malformed + @formed + @missing + 3);

my ($schemes, $servers) = ('', '');

foreach my $name (@names) {
	$t->write_file("$name.secret", (secrets($name, 'new'))[0] . "\n");
	chmod 0600, $t->testdir() . "/$name.secret";

	$servers .= server($name, source($name) . "%%TESTDIR%%/$name.secret");
}

foreach my $name (@own) {
	my ($signed, $text, $unit) = @{$own{$name}};
	my $ts = $text =~ /\{ts\}/ ? 'timestamp $http_x_ts unit='
		. ($unit || 's') . ';' : '';

	$schemes .= "webhook_scheme $name { signature \$http_x_sig; $ts "
		. "signed '$signed'; event_id \$http_x_id; dedup_key body; }\n";

	$servers .= server($name, '"' . $secret . '"');
}

$t->write_file_expand('nginx.conf', <<"EOF_");

%%TEST_GLOBALS%%

events {
    worker_connections  1024;
}

http {
    %%TEST_GLOBALS_HTTP%%

    keepalive_requests  1000000;

    # of all requests that are sent at once
    client_header_buffer_size  64k;

    webhook_log_level   info;
    webhook_dedup_zone  zone=events:1m;
    webhook_dedup       zone=events;

    add_header  X-Reason  \$webhook_reason  always;

$schemes
$servers
}

EOF_

my $u = upstream(8081);

$t->clock($start)->run();

###############################################################################

my $all = 0;

foreach my $name (@names, @own) {
	my @passed;
	my $others = 0;
	my $dedup = $own{$name} || provider($name)->{dedup};

	$u->reset();

	my @genuine = genuine($name);

	foreach my $v (@genuine) {
		my $ok = join ' ', status(ask($name, $v));
		push @passed, "genuine: $ok" if $ok ne '200';

		my $text = text($name, $v);
		my @cuts = grep { differs($_, $v) }
			cuts(template($name), $text);

		$others += @cuts;

		push @passed, map { "$_->[1]: " . shown($_->[0]) }
			grep { $_->[1] !~ /^40[01]$/ } zip(\@cuts,
			[ status(ask($name, map { +{ %$v, %$_ } } @cuts)) ]);

		$ok = join ' ', status(ask($name, $v));
		push @passed, "again: $ok"
			if $ok ne ($dedup ? 'duplicate' : '200');
	}

	$all += $others;

	is(join("\n", @passed), '', "$name, $others other cuts");
	is($u->count(), ($dedup ? 1 : 2) * @genuine, "$name, proxied");
}

cmp_ok($all, '>', 1000, 'cuts that were tried');

# what fits, with one byte changed it is refused

foreach (@formed) {
	my ($name, $field, $value) = @$_;

	my $v = own($name, $field => $value);
	my $sig = signed($name, $v);

	$u->reset();

	is(join(' ', status(ask($name, { %$v, body => "$v->{body} ",
		sig => $sig }, $v)), $u->count()), '401 200 1',
		"$name, $field is " . printable($value));
}

# what does not is refused, and nothing is remembered

foreach (@malformed) {
	my ($name, $field, $value, undef, $as) = @$_;

	my $v = own($name, $field => $value);
	my $sig = signed($name, defined $as ? { %$v, $field => $as } : $v);

	$u->reset();

	my ($r) = ask($name, { %$v, sig => $sig });

	is("$r->{status} " . ($r->header('X-Reason') || '') . ' ' . $u->count(),
		'401 malformed_field 0',
		"$name, $field is not " . printable($value));

	# the key is the body: it is still free

	is(join(' ', status(ask($name, $v = { %{own($name)},
		$field eq 'body' ? () : (body => $v->{body}) })), $u->count()),
		'200 1', "$name, not remembered");
}

foreach (@missing) {
	my ($name, $field, $value) = @$_;

	my $v = own($name, $field => $value);

	$u->reset();

	my ($r) = ask($name, $v);

	is("$r->{status} " . ($r->header('X-Reason') || '') . ' ' . $u->count(),
		'401 missing_field 0', "$name, no $field");
}

# a blank that core leaves at the end of a header is no part of a timestamp

foreach my $name (qw/ discord zendesk /) {
	my %e = event($name, body => "\t{\"n\":1}");

	$u->reset();

	my @headers = map { $_->[1] eq $e{ts} ? [ $_->[0], "$_->[1]\t" ] : $_ }
		@{$e{headers}};

	my $r = request(%e, port => $port{$name}, body => '{"n":1}',
		headers => \@headers);

	is("$r->{status} " . $u->count(), '401 0',
		"$name, blank behind the timestamp");
}

###############################################################################

sub server {
	my ($name, $source) = @_;

	my $dedup = $own{$name} || provider($name)->{dedup} ? ''
		: 'webhook_dedup  off;';

	return <<"EOF_";
    server {
        listen       127.0.0.1:$port{$name};
        server_name  own.example;

        location / {
            webhook_verify  $name;
            webhook_secret  $source;
            $dedup
            proxy_pass      http://127.0.0.1:8081;
        }
    }
EOF_
}

# what is signed, with an address made of its parts

sub template {
	my ($name) = @_;

	my $text = $own{$name} ? $own{$name}[1] : provider($name)->{text};
	$text =~ s!\{url\}!https://{host}{uri}!;

	return $text;
}

sub text {
	my ($name, $v) = @_;

	(my $text = template($name)) =~ s/\{(\w+)\}/$v->{$1}/g;

	return $text;
}

# Genuine requests, with texts in their bodies as others may write them: this
# address and another one, the same path through another folder, fresh times,
# what looks like another request.

sub genuine {
	my ($name) = @_;

	my $date = strftime('%Y-%m-%dT%H:%M:%S', gmtime($start - 1));

	my @notes = map { s/NAME/$name/gr } (
		"/../hooks/NAME?from=provider",
		"https://x/hooks/NAME?from=provider",
		"POSThttps://x/hooks/NAME/../NAME{",
		"${start}000${start}",
		"a.$start.{}v0:$start:{}|$start|{}:$start:{}.b.${start}c--d",
		"/a/e76c6bd4-55c9${date}Z{${date}.5+00:00,",
		"see https://x/ at ${date}Z, or $start:\\n\\t.",
	);

	my @v;

	foreach my $i (0 .. 2) {
		my @some = $i == 0 ? @notes : $i == 1 ? reverse @notes : ();
		my $note = join('', map { ",\"note\":\"$_\"" } @some);
		my ($before, $behind) = $i == 2 ? ("\t", "\n") : ('', '');

		my %v = $own{$name} ? (%{own($name)})
			: (event($name, n => 50 + $i,
				uri => "/hooks/$name" . ('?from=provider',
				'?a=/../b&c', '')[$i]));

		($v{body} = "$before$v{body}$behind")
			=~ s/\}(\]?\s*)\z/$note}$1/;

		push @v, { map { $_ => $v{$_} } qw/ method host uri body id ts
			arg cookie /, $own{$name} ? ()
			: keys %{provider($name)->{fields}} };
	}

	return @v;
}

my $id;

sub own {
	my ($name, %fields) = @_;

	my $unit = $own{$name}[2] || 's';
	$id++;

	return {
		method => 'POST', host => 'own.example', uri => "/own/$name",
		ts => $unit eq 's' ? $start
			: strftime($unit eq 'http' ? '%a, %d %b %Y %H:%M:%S GMT'
			: $unit eq 'iso8601' ? '%Y-%m-%dT%H:%M:%S'
			: '%Y-%m-%dT%H:%M:%SZ', gmtime($start)),
		id => "id-$id", arg => "arg$id", cookie => "cookie$id",
		body => "{\"n\":$id}", %fields
	};
}

sub signed {
	my ($name, $v) = @_;
	return unpack 'H*', hmac('sha256', $secret, text($name, $v));
}

# All ways to cut a text by a template into what can be sent.  Only what is
# made of the characters of a time is tried as one.

my %is_header;

BEGIN {
	%is_header = map { $_ => 1 } 'id',
		map { keys %{provider($_)->{fields}} } providers();
}

sub cuts {
	my ($template, $text) = @_;

	return length $text ? () : {} if $template eq '';

	$template =~ s/^(\{(\w+)\}|[^{]+)//;
	my ($piece, $field) = ($1, $2);

	if (!defined $field) {
		return unless substr($text, 0, length $piece) eq $piece;
		return cuts($template, substr $text, length $piece);
	}

	my ($next) = $template =~ /^([^{]+)/;
	my @cuts;

	foreach my $len ($template eq '' ? length $text : 0 .. length $text) {
		my $value = substr $text, 0, $len;

		last unless can_begin($field, $value);
		next unless can_be($field, $value);
		next if defined $next
			and substr($text, $len, length $next) ne $next;

		# what stands there twice is the same both times

		push @cuts, map { +{ %$_, $field => $value } }
			grep { !exists $_->{$field} || $_->{$field} eq $value }
			cuts($template, substr $text, $len);
	}

	return @cuts;
}

sub can_begin {
	my ($field, $value) = @_;

	return $field eq 'body'
		|| $field eq 'ts' && $value =~ /^(?:[A-Z][a-z]+, ?[\w: ]*
			|[\dTtZz:.+\t -]*)\z/x && length $value <= 40
		|| $is_header{$field} && $value =~ /^(?:[!-~][\t -~]*)?\z/
		|| $field eq 'method' && $value =~ /^[A-Z]*\z/
		|| $field eq 'host' && $value =~ /^[!-.0-~]*\z/
		|| $field eq 'uri' && $value =~ /^(?:\/[!-~]*)?\z/
		|| $field eq 'arg' && $value =~ /^[!-%'-~]*\z/
		|| $field eq 'cookie' && $value =~ /^[!-:<-~]*\z/;
}

sub can_be {
	my ($field, $value) = @_;
	return $field eq 'body'
		|| $value =~ /[^ ]\z/ && ($field ne 'ts' || length $value > 8);
}

sub differs {
	my ($cut, $v) = @_;
	return grep { $cut->{$_} ne $v->{$_} } keys %$cut;
}

sub zip {
	my ($one, $other) = @_;
	return map { [ $one->[$_], $other->[$_] ] } 0 .. $#$one;
}

# sends requests one behind the other, and returns what is answered

sub ask {
	my ($name, @v) = @_;

	my @requests = map { join '', Test::Nginx::Webhook::_request(
		%{made($name, $_)}, keepalive => 1) } @v;

	my @answers;

	while (@answers < @requests) {
		my $c = client(port => $port{$name});
		my $from = @answers;

		while (@answers < @requests) {
			my $first = @answers;
			my $last = $first + 19;
			$last = $#requests if $last > $#requests;

			$c->send(join '', @requests[$first .. $last]);

			while (@answers <= $last) {
				my $r = $c->response() or last;
				push @answers, $r;
			}

			# nginx closes where it cannot go on

			last if @answers <= $last;
		}

		die "no answer\n" if @answers == $from;
		$c->close();
	}

	return @answers;
}

sub status {
	return map { $_->header('Webhook-Duplicate') ? 'duplicate'
		: $_->{status} } @_;
}

sub made {
	my ($name, $v) = @_;

	if (!$own{$name}) {
		my %e = event($name, (map { $_ => $v->{$_} }
			grep { defined $v->{$_} } qw/ method host uri body id /,
			keys %{provider($name)->{fields}}),
			defined $v->{ts} ? (ts_text => $v->{ts}) : ());

		return \%e;
	}

	my $args = defined $v->{args} ? $v->{args} : "id=$v->{arg}";

	return {
		method => $v->{method}, host => $v->{host}, body => $v->{body},
		uri => $v->{uri} . ($own{$name}[1] =~ /arg/ ? "?$args" : ''),
		headers => [
			[ 'X-Id', $v->{id} ],
			[ 'X-Ts', $v->{ts} ],
			[ 'Cookie', "id=$v->{cookie}" ],
			[ 'X-Sig', $v->{sig} || signed($name, $v) ],
		]
	};
}

sub shown {
	my ($cut) = @_;

	return join ', ', map { "$_ is " . printable($cut->{$_}) }
		sort keys %$cut;
}

sub printable {
	my ($text) = @_;

	$text = length($text) . ' bytes' if length $text > 100;
	$text =~ s/([^ -~])/sprintf '\\x%02x', ord $1/ge;

	return "'$text'";
}

###############################################################################

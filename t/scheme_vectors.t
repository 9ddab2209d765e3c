#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the signature schemes: each vector in t/vectors/, genuine and
# forged, with the body in one packet with the header, in pieces, and in a
# temporary file.  What is genuine reaches the upstream byte for byte, what is
# not does not reach it at all.  Of schemes that have none there, vectors are
# made from what the provider sends; each of them takes one of these ways.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Webhook;
use Test::Nginx::Providers;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my @schemes = map { m!([^/]+)\.json$! }
	glob("$Test::Nginx::ROOT/t/vectors/*.json");

my @vectors = map { load_vectors($_) } @schemes;

# what a scheme says otherwise than a vector

my %conf = (
	'box/bad-timestamp-future' => 'webhook_tolerance  10m 0;',
);

my @ways = (
	[ 'one packet', port => 8080 ],
	[ 'pieces', port => 8080, pieces => 1, delay => 0.002 ],
	[ 'file', port => 8081 ],
);

# what is refused for its headers is refused before the body is there

foreach my $v (@vectors) {
	my $headers = $v->{name} =~ m{/bad-(?!body-|digest-|wrong-)};
	$v->{ways} = [ $headers ? $ways[0] : @ways ];
}

my %there = map { $_ => 1 } @schemes;

foreach my $v (map { vectors($_, $vectors[0]{now}) }
	grep { !$there{$_} } providers())
{
	my $n = $v->{name} =~ m{/bad-(?!body-|digest-|wrong-)} ? 0 : @vectors % 3;

	$v->{ways} = [ $ways[$n] ];
	$v->{url} = "https://$v->{host}" if provider($v->{provider})->{signs}{url};
	push @vectors, $v;
}

my @cases = map { @{$_->{ways}} } @vectors;

my $t = Test::Nginx->new()->has(qw/http proxy/)->has_faketime()
	->plan(@cases + 1);

# a server for the first secret of each scheme, one for the second, ...; and one
# for each name that is signed

my (%secrets, %locations);

foreach my $v (@vectors) {
	my ($host) = ($v->{url} || '') =~ m!^https://([^/]+)!;
	my ($path) = $v->{uri} =~ /^([^?]*)/;
	my $conf = $conf{$v->{name}} || '';

	my $list = $secrets{$v->{provider}} ||= [];
	my ($i) = grep { $list->[$_] eq "$v->{secret} $conf" } 0 .. $#$list;

	if (!defined $i) {
		$i = @$list;
		push @$list, "$v->{secret} $conf";

		my $file = "$v->{provider}.$i.secret";
		my $source = source($v->{provider});
		$t->write_file($file, "$v->{secret}\n");
		chmod 0600, $t->testdir() . "/$file";

		$locations{$host || "s$i"} .= <<"EOF";

        location = $path {
            webhook_verify  $v->{provider};
            webhook_secret  $source%%TESTDIR%%/$file;
            $conf

            proxy_pass  http://127.0.0.1:8082;
        }
EOF
	}

	$v->{host} = $host || "s$i";
}

my $servers = join "\n", map { <<"EOF" } sort keys %locations;
    server {
        listen       127.0.0.1:8080;
        server_name  $_;

        client_body_buffer_size  2m;
$locations{$_}
    }

    server {
        listen       127.0.0.1:8081;
        server_name  $_;

        client_body_in_file_only  clean;
$locations{$_}
    }
EOF

$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    log_format  verdict  '\$status "\$webhook_status" "\$http_x_vector"';
    access_log  %%TESTDIR%%/verdict.log  verdict;

    client_max_body_size  8m;

    proxy_set_header  X-Id    \$webhook_event_id;
    proxy_set_header  X-Type  \$webhook_event_type;
    proxy_set_header  X-File  \$request_body_file;

$servers
}

EOF

my $u = upstream(8082);

$t->clock($vectors[0]{now})->run();

# types that are in a header are there whatever the body is

my %type_header = (
	'bitbucket' => 'x-event-key',
	'gitea' => 'x-gitea-event',
	'github' => 'x-github-event',
	'gitlab' => 'x-gitlab-event',
	'gitlab-token' => 'x-gitlab-event',
	'lemon-squeezy' => 'x-event-name',
	'sentry' => 'sentry-hook-resource',
	'shopify' => 'x-shopify-topic',
	'woocommerce' => 'x-wc-webhook-topic',
);

###############################################################################

my (%verdicts, $now);

foreach my $v (sort { $a->{now} <=> $b->{now} } @vectors) {
	$t->clock($now = $v->{now}) if !defined $now or $now != $v->{now};

	foreach my $way (@{$v->{ways}}) {
		my ($name, %opts) = @$way;

		$opts{pieces} = [ 1, int(length($v->{body}) / 2) ]
			if $opts{pieces};

		my $r = request(%opts, host => $v->{host}, uri => $v->{uri},
			method => $v->{method}, body => $v->{body},
			headers => [ @{$v->{headers}},
				[ 'X-Vector', "$v->{name} $name" ] ]);

		is(got($v, $r, $u->requests()), expected($v, $name),
			"$v->{name} - $name");

		$verdicts{"$v->{name} $name"} = $v->{valid} ? '200 "PASSED"'
			: '401 "REJECTED"';

		$u->reset();
	}
}

# lines are written after the answer

$t->wait_log(qr/./, name => 'verdict.log', count => scalar keys %verdicts);

my %lines = map { $_ => 1 } $t->lines(qr/./, name => 'verdict.log');

is(join("\n", grep { !delete $lines{$_} }
	map { "$verdicts{$_} \"$_\"" } sort keys %verdicts), '',
	'verdicts in the access log');

###############################################################################

sub got {
	my ($v, $r, @requests) = @_;

	my @got = ($r->{status}, scalar(@requests) . ' proxied');

	foreach my $req (@requests) {
		my ($id, $type, $file) = map {
			my ($value) = Test::Nginx::Upstream::header($req, $_);
			defined $value ? $value : '';
		} qw/ X-Id X-Type X-File /;

		push @got, $req->{state}, "$req->{method} $req->{uri}",
			$req->{body} eq $v->{body} ? 'same body' : 'other body',
			$file eq '' ? 'memory' : 'file';

		push @got, "id $id", "type $type" if named($v);
	}

	return join ', ', @got;
}

sub expected {
	my ($v, $way) = @_;

	return '401, 0 proxied' unless $v->{valid};

	my ($id, $type) = map { defined $_ ? $_ : '' }
		@$v{qw/ event_id event_type /};

	my $name = $type_header{$v->{provider}};

	if (!defined $v->{event_type} and defined $name) {
		($type) = map { $_->[1] } grep { lc $_->[0] eq $name }
			@{$v->{headers}};
	}

	my @expected = (200, '1 proxied', 'complete',
		"$v->{method} $v->{uri}", 'same body',
		$way eq 'file' ? 'file' : 'memory');

	push @expected, "id $id", "type $type" if named($v);

	return join ', ', @expected;
}

# the type that this one gives is not in the request, and its id is not given

sub named {
	my ($v) = @_;
	return $v->{name} ne 'shopify/valid-events-headers';
}

###############################################################################

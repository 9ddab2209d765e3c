#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for webhook-check: each vector in t/vectors/ is judged as the module
# judges it, at the time that it has.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Check;
use Test::Nginx::Webhook;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my @schemes = map { m!([^/]+)\.json$! }
	glob("$Test::Nginx::ROOT/t/vectors/*.json");

# what a scheme says otherwise than a vector

my %conf = (
	'box/bad-timestamp-future' => 'webhook_tolerance  10m 0;',
);

my $t = Test::Nginx->new()->has(qw/http/)->plan(@schemes + 1);

# a server for the first secret of each scheme, one for the second, ...; and one
# for each name that is signed

my (%secrets, %locations, %requests, %valid);

foreach my $v (map { load_vectors($_) } @schemes) {
	my ($host) = ($v->{url} || '') =~ m!^https://([^/]+)!;
	my $conf = $conf{$v->{name}} || '';

	my $list = $secrets{$v->{provider}} ||= [];
	my ($i) = grep { $list->[$_] eq "$v->{secret} $conf" } 0 .. $#$list;

	if (!defined $i) {
		$i = @$list;
		push @$list, "$v->{secret} $conf";

		my $file = "$v->{provider}.$i.secret";
		$t->write_file($file, "$v->{secret}\n");
		chmod 0600, $t->testdir() . "/$file";

		$locations{$host || "s$i"} .= <<"EOF_";

        location = $v->{uri} {
            webhook_verify  $v->{provider};
            webhook_secret  file:$file;
            $conf
        }
EOF_
	}

	push @{$requests{$v->{provider}}}, captured(%$v,
		url => $v->{url} || 'https://' . ($host || "s$i") . $v->{uri});

	$valid{$v->{name}} = $v->{valid};
}

my $servers = join "\n", map { <<"EOF_" } sort keys %locations;
    server {
        listen       127.0.0.1:8080;
        server_name  $_;

        client_max_body_size  8m;
$locations{$_}
    }
EOF_

$t->write_file_expand('nginx.conf', <<"EOF_");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

$servers
}

EOF_

$t->run();

###############################################################################

my $n = 0;

foreach my $scheme (sort keys %requests) {
	$t->write_file('requests.json',
		'[' . join(',', @{$requests{$scheme}}) . ']');

	my @got = webhook_check_json($t, 'verify', 'requests.json');

	$n += @got;

	is(join(' ', grep { $_ ne '' } map { $_->{accepted}
		== $valid{$_->{name}} ? '' : "$_->{name}:$_->{reason}" } @got),
		'', "$scheme - verdicts");
}

is($n, scalar keys %valid, 'all are judged');

###############################################################################

#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for a page that includes what the monitor says, at once or when a store
# has answered.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Fleet;
use Test::Nginx::Redis;
use Test::Nginx::Store;
use Test::Nginx::Webhook;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $t = Test::Nginx->new()->has(qw/http proxy ssi/);
my $redis = Test::Nginx::Redis->new(8379);

$t->plan(8);

my $store = Test::Nginx::Store->new(8380, 8379);

$t->write_file_expand('nginx.conf', fleet_conf(
	store => 'server 127.0.0.1:8380; timeout 30s;', http => <<'EOF_'));
    log_format  page  '"$uri" $status';

    server {
        listen  127.0.0.1:8088;

        access_log  %%TESTDIR%%/page.log  page;

        location = /webhooks {
            webhook_monitor;
        }

        location / {
            ssi   on;
            root  %%TESTDIR%%;
        }
    }
EOF_

my $args = 'zone=events&id=' . event_key('a') =~ s/.*://r;

$t->write_file('event.html', join '-', map { "<!--# include virtual=\""
	. "/webhooks?$args\" -->" } 1 .. 3);
$t->write_file('all.html', '<!--# include virtual="/webhooks?format=json" -->'
	. '-<!--# include virtual="/webhooks?format=prometheus" -->-end');

my $u = upstream(8081);

$t->run();
$t->wait_log(qr/\[notice\] .*fleet/) or die "no store\n";

###############################################################################

like(page('all')->{body}, qr/^\{"version".*\]\}\n-# HELP.*build_info.*-end$/s,
	'all of it');
is(states(page('event')), 'unknown - unknown - unknown', 'an event');

# the store is late

$store->reset()->on(qr/^GET/, 'lost');

my $c = page('event', send_only => 1);
ok($store->wait_for(qr/^GET/, 1), 'late - asked');
$store->on(qr/^GET/);
$store->release();
is(states($c->response()), 'unknown - unknown - unknown', 'late');

# the client leaves

my $from = $t->log_pos('page.log');

$store->reset()->once(qr/^GET/, 'lost');
$c = page('event', send_only => 1);
$store->wait_for(qr/^GET/, 1);
$c->abort();
ok($t->wait_log(qr/"\/event.html" 499/, name => 'page.log', from => $from),
	'left');
$store->release();

is(event($u, 'a'), '200 PASSED MINE 1', 'left - others go on');
is(states(page('event')), 'done - done - done', 'known here');
is(page('nothing')->{status}, 404, 'nothing');

###############################################################################

sub page {
	my ($name, @opts) = @_;

	return request(port => 8088, method => 'GET', uri => "/$name.html",
		@opts);
}

sub states {
	my ($r) = @_;

	return join ' - ', map { /"state":"(\w+)"/ ? $1 : $_ }
		split /\n-/, $r->{body};
}

###############################################################################

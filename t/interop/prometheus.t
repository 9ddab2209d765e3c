#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests with Debian's Prometheus: promtool finds nothing to say against what
# the monitor tells; a Prometheus scrapes it, reads the rules in contrib/, and
# has an answer to each question of the dashboard; the rules pass their tests.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib '../lib';
use Test::Nginx;
use Test::Nginx::Monitor;
use Test::Nginx::Webhook;

use JSON::PP qw/ decode_json /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $root = $Test::Nginx::ROOT;
my $bin = "$root/build/interop/prometheus/usr/bin";

plan(skip_all => 'no prometheus in build/interop, see make interop')
	unless -x "$bin/prometheus";

my $secret = 'the-secret-of-the-test';

my $t = Test::Nginx->new()->has(qw/http proxy/);

$t->write_file_expand('nginx.conf', <<"EOF_");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=z:1m  state=%%TESTDIR%%/z.state  store=s;

    # which is not there
    webhook_store  s {
        server  127.0.0.1:8079;
    }

    server {
        listen  127.0.0.1:8088;

        location = /webhooks {
            webhook_monitor;
        }
    }

    server {
        listen       127.0.0.1:8080;
        server_name  hooks.example.com;

        webhook_secret  $secret;

        location = /stripe {
            webhook_verify  stripe;
            webhook_dedup   zone=z;
            proxy_pass      http://127.0.0.1:8081;
        }

        location = /odd {
            webhook_verify   nextpay;
            webhook_place    "a \\"quoted\\" \\\\ name <script>";
            webhook_dry_run  on;
            proxy_pass       http://127.0.0.1:8081;
        }
    }
}

EOF_

my $u = upstream(8081);
my $dir = $t->testdir();
my $dashboard = decode_json(project_text('contrib/grafana/webhook.json'));
my @targets = map { my $title = $_->{title}; map { [ $title, $_->{expr} ] }
	@{$_->{targets} || []} } @{$dashboard->{panels}};

$t->plan(9 + @targets)->run();

hook('stripe', $secret, $_, time() + $_) foreach -10, 10;
hook('stripe', $secret, 10, time());
hook('stripe', 'wrong', 1, time());
hook('nextpay', 'wrong', 1);

wait_until(sub { metric('requests_total') == 5 });

###############################################################################

$t->write_file('metrics', monitor('format=prometheus')->{body});

is(`$bin/promtool check metrics < $dir/metrics 2>&1`, '', 'check metrics');

$t->write_file('bad', "# TYPE requests counter\nrequests 1\n");
isnt(`$bin/promtool check metrics < $dir/bad 2>&1`, '',
	'check metrics - of others');

system("cp $root/contrib/prometheus/webhook.rules.yml "
	. "$root/t/interop/*.test.yml $dir") == 0 or die;

like(`$bin/promtool check rules $dir/webhook.rules.yml 2>&1`,
	qr/SUCCESS: \d+ rules found/, 'check rules');
unlike(`$bin/promtool test rules $dir/*.test.yml 2>&1`, qr/FAILED|error/i,
	'test rules');

# one that is too easily content

(my $easy = project_text('contrib/prometheus/webhook.rules.yml'))
	=~ s/ > 0\.9$/ > 0.99/m;
$t->write_file('webhook.rules.yml', $easy);
like(`$bin/promtool test rules $dir/hours.test.yml 2>&1`,
	qr/FAILED:.*WebhookZoneNearlyFull/s, 'test rules - of others');

###############################################################################

# a Prometheus

my $port = port(8090);

$t->write_file('prometheus.yml', <<"EOF_");
global:
  scrape_interval: 1s
  evaluation_interval: 1s
rule_files:
  - $root/contrib/prometheus/webhook.rules.yml
scrape_configs:
  - job_name: nginx-webhook
    metrics_path: /webhooks
    static_configs:
      - targets: ["127.0.0.1:${\ port(8088)}"]
EOF_

my $pid = fork();

if (!$pid) {
	open STDOUT, '>', "$dir/prometheus.log";
	open STDERR, '>&', \*STDOUT;
	exec("$bin/prometheus", "--config.file=$dir/prometheus.yml",
		"--storage.tsdb.path=$dir/tsdb", '--log.level=warn',
		"--web.listen-address=127.0.0.1:$port") or POSIX::_exit(1);
}

END {
	if ($pid) {
		local $?;
		kill 'TERM', $pid;
		waitpid $pid, 0;
	}
}

# all was scraped twice, so that there are rates

ok(wait_for(sub { my ($r) = ask(
	'count_over_time(nginx_webhook_build_info[1m])');
	$r && $r->{value}[1] >= 3 }), 'scraped')
	or diag(`cat $dir/prometheus.log`);

is(join(', ', map { $_->{value}[1] } ask('sum by (outcome) '
	. '(nginx_webhook_requests_total{place="a \"quoted\" \\\\ name '
	. '<script>"}) > 0')), '1',
	'an odd name');

foreach my $target (@targets) {
	my ($title, $expr) = @$target;

	$expr =~ s/\$__rate_interval/1m/g;
	$expr =~ s/\$\w+/.*/g;

	ok(scalar ask($expr), "panel - $title")
		or diag($expr);
}

my @rules;

wait_for(sub { @rules = @{asked('rules')->{data}{groups}[0]{rules}};
	!grep { $_->{health} eq 'unknown' } @rules });

is(join(', ', map { "$_->{name}: $_->{lastError}" }
	grep { $_->{health} ne 'ok' } @rules), '', 'rules are evaluated');
is(join(', ', sort map { $_->{labels}{alertname} }
	@{asked('alerts')->{data}{alerts}}),
	'WebhookStoreDown, WebhookStoreOwed', 'alerts - the store is not there');

###############################################################################

sub hook {
	my ($scheme, $key, $id, $ts) = @_;

	deliver($scheme, $key, "{\"id\":\"$id\"}",
		uri => $scheme eq 'stripe' ? '/stripe' : '/odd',
		defined $ts ? (ts => $ts) : ());
}

sub wait_for {
	my ($code) = @_;

	for (1 .. 600) {
		my $value = eval { $code->() };
		return $value if $value;
		select undef, undef, undef, 0.1;
	}

	return;
}

# what Prometheus answers

sub asked {
	my ($what, $args) = @_;

	my $r = request(port => 8090, method => 'GET', http => '1.0',
		uri => "/api/v1/$what" . ($args ? "?$args" : ''));

	return decode_json($r->{body});
}

sub ask {
	my ($query) = @_;

	$query =~ s/([^\w.~-])/sprintf '%%%02X', ord $1/ge;

	my $d = asked('query', "query=$query");

	return $d->{status} eq 'success' ? @{$d->{data}{result}} : ();
}

###############################################################################

#!/usr/bin/env bash
# A Slurm cluster on this machine: a controller and two nodes, n1 (with two GPUs that are none) and n2.
# cluster.sh install | start DIR | stop DIR | start-node DIR NODE | kill-node DIR NODE
# Clients find it by /etc/slurm/slurm.conf, a link to DIR: the executor clears SLURM_CONF within jobs. Needs root, and Debian's packages (22.05 or newer).
set -euo pipefail

MARK="# of tests/slurm" # what was added to /etc/hosts, and is taken away

die() {
  echo "cluster.sh: $*" >&2
  exit 1
}

install_slurm() {
  [ "$(id -u)" = 0 ] || die "needs root: the nodes' daemons start jobs as their users"
  command -v slurmctld slurmd sbatch munged > /dev/null && return
  command -v apt-get > /dev/null || die "no slurmctld, slurmd, sbatch or munged here, and no apt-get to install them"
  local policy=/usr/sbin/policy-rc.d # Debian asks it whether a package may start its services
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod +x "$policy"
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  {
    apt-get update -qq &&
      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends slurmctld slurmd slurm-client munge
  } > /dev/null || die "apt-get could not install slurmctld, slurmd, slurm-client and munge"
}

write_configuration() {
  local host
  host=$(hostname -s)
  remove_left_behind
  mkdir -p "$1/state"
  [ ! -e /etc/slurm/slurm.conf ] || die "this machine has a Slurm of its own: /etc/slurm/slurm.conf"
  process "$PPID" > "$1/owner"
  ln -sf "$1/slurm.conf" /etc/slurm/slurm.conf
  getent hosts "$host" > /dev/null || echo "127.0.0.1 $host $MARK" >> /etc/hosts
  # One machine plays two nodes: each with a port of its own, and more CPUs and memory than there are. No accounting,
  # no cgroups. Lost nodes are noticed within seconds, and finished jobs can be looked up for an hour. By its weight n1 gets
  # what n2 cannot run.
  cat > "$1/slurm.conf" << END
ClusterName=lmia
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=16817
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$1/munge/socket
StateSaveLocation=$1/state
SlurmdSpoolDir=$1/spool-%n
SlurmctldPidFile=$1/slurmctld.pid
SlurmdPidFile=$1/%n.pid
SlurmctldLogFile=$1/slurmctld.log
SlurmdLogFile=$1/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerParameters=bf_interval=2,sched_interval=2
SlurmdParameters=config_overrides
SlurmdTimeout=6
ReturnToService=2
MinJobAge=3600
KillWait=2
DefMemPerCPU=200
GresTypes=gpu
NodeName=n1 NodeHostname=$host NodeAddr=127.0.0.1 Port=16818 CPUs=8 CoresPerSocket=8 RealMemory=64000 Gres=gpu:fake:2 Weight=2
NodeName=n2 NodeHostname=$host NodeAddr=127.0.0.1 Port=16819 CPUs=8 CoresPerSocket=8 RealMemory=64000
PartitionName=all Nodes=n1,n2 Default=YES
PartitionName=gpu Nodes=n1
END
  for number in 0 1; do # Slurm wants a device behind each GPU, this one is /dev/null, and tells jobs of it as of Nvidia's
    [ -e "$1/gpu$number" ] || mknod "$1/gpu$number" c 1 3
  done
  echo "NodeName=n1 Name=gpu Type=fake Flags=nvidia_gpu_env File=$1/gpu[0-1]" > "$1/gres.conf"
}

# A process by number and start, as numbers come again; nothing if there is no such process.
process() {
  sed -E 's/^([0-9]+) \(.*\)( [^ ]+){19} ([0-9]+) .*/\1 \3/' "/proc/$1/stat" 2> /dev/null || true
}

# A run that was killed, or whose machine went down, did not take its cluster down.
remove_left_behind() {
  local old owner
  old=$(readlink /etc/slurm/slurm.conf) || return 0
  [[ $old = /*/slurm.conf ]] || return 0
  old=$(dirname "$old")
  [ -e "$old/owner" ] || return 0
  owner=$(cat "$old/owner")
  [ "$(process "${owner% *}")" != "$owner" ] || die "another run of these tests has its cluster here: process ${owner% *}, in $old"
  stop_cluster "$old"
  rm -rf "$old"
}

start_munge() {
  mkdir -p "$1/munge"
  head -c 1024 /dev/urandom > "$1/munge/key"
  chmod 400 "$1/munge/key"
  chown -R munge: "$1/munge"
  runuser -u munge -- munged --key-file="$1/munge/key" --socket="$1/munge/socket" --pid-file="$1/munge/pid" \
    --log-file="$1/munge/log" --seed-file="$1/munge/seed"
}

start_node() {
  slurmd -N "$2" -f "$1/slurm.conf"
  for _ in $(seq 100); do
    case $(timeout 5 sinfo -h -N -n "$2" -o %T | sort -u) in idle | mixed) return ;; esac
    sleep 0.2
  done
  die "node $2 does not come up: $(tail -n 5 "$1/$2.log" "$1/slurmctld.log")"
}

await_end() {
  for _ in $(seq 100); do
    kill -0 "$1" 2> /dev/null || return 0
    sleep 0.1
  done
  die "process $1 lives on"
}

# What a power cut does: the daemon, its jobs and their watchers are gone at once, and none of them says goodbye.
kill_node() {
  local jobs
  jobs=$(timeout 5 squeue -h -t RUNNING -w "$2" -o %A | paste -sd '|')
  {
    cat "$1/$2.pid"
    pgrep -f "^slurmstepd: \[($jobs)\."
    grep -lzEx "SLURM_JOB_ID=($jobs)" /proc/[0-9]*/environ 2> /dev/null | cut -d / -f 3
  } | xargs kill -KILL || true # some processes end while they are looked for
  await_end "$(cat "$1/$2.pid")"
}

stop_cluster() {
  local pid
  [ "$(readlink /etc/slurm/slurm.conf)" = "$1/slurm.conf" ] || return 0 # it never started: touch no other Slurm
  timeout 5 scancel --user=root || true # what a run that failed left behind
  for pid in "$1"/n1.pid "$1"/n2.pid "$1"/slurmctld.pid "$1"/munge/pid; do
    [ -e "$pid" ] || continue
    pid=$(cat "$pid")
    case $(cat "/proc/$pid/comm" 2> /dev/null) in slurmctld | slurmd | munged) ;; *) continue ;; esac
    kill "$pid" 2> /dev/null || continue
    await_end "$pid"
  done
  local hosts
  hosts=$(grep -v "$MARK\$" /etc/hosts) && echo "$hosts" > /etc/hosts # in place: containers mount the file
  rm /etc/slurm/slurm.conf
}

command=$1 folder=${2:-}
case $command in
  install) install_slurm ;;
  start) # one at a time, so that of two at once one finds the other
    mkdir -p /etc/slurm
    (flock 9; write_configuration "$folder") 9< /etc/slurm
    start_munge "$folder"
    slurmctld -f "$folder/slurm.conf"
    start_node "$folder" n1
    start_node "$folder" n2
    ;;
  start-node) start_node "$folder" "$3" ;;
  kill-node) kill_node "$folder" "$3" ;;
  stop) [ ! -d /etc/slurm ] || (flock 9; stop_cluster "$folder") 9< /etc/slurm ;;
  *) die "unknown command $command" ;;
esac

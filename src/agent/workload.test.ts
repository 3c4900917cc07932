import { describe, expect, test } from 'vitest'
import { kernelComm, workloadOfCgroup, workloadOfExecutable, workloadOfUnknownCgroup } from './workload.ts'

const hex = '3f2a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8'
const uid = '0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9'
const slicedUid = uid.replaceAll('-', '_')

/** path, kind, name, how many of the path's components name the workload (default: all) */
const cases: [path: string, kind: string, name: string, depth?: number][] = [
  // systemd
  ['/system.slice/nginx.service', 'unit', 'nginx.service'],
  ['/init.scope', 'unit', 'init.scope'],
  ['/system.slice/system-getty.slice/getty@tty1.service', 'unit', 'getty@tty1.service'],
  ['/system.slice/systemd-udevd.service/udev', 'unit', 'systemd-udevd.service', 2],
  ['/user.slice/user-1000.slice/session-3.scope', 'unit', 'session-3.scope'],
  ['/user.slice/user-1000.slice/user@1000.service/app.slice/foo.scope', 'unit', 'foo.scope'],
  ['/user.slice/user-1000.slice/user@1000.service/app.slice/app-org.gnome.Terminal.slice/vte-spawn-1.scope', 'unit', 'vte-spawn-1.scope'],
  ['/user.slice/user-1000.slice/user@1000.service/init.scope', 'unit', 'user@1000.service', 3],
  ['/user.slice/user-1000.slice/user@1000.service/session.slice/dbus.service', 'unit', 'dbus.service'],
  ['/system.slice/_cpu.service', 'unit', 'cpu.service'],
  ['/machine.slice/machine-qemu\\x2d1\\x2dweb.scope/libvirt/emulator', 'unit', 'machine-qemu\\x2d1\\x2dweb.scope', 2],
  ['/system.slice/containerd.service', 'unit', 'containerd.service'],
  ['/system.slice/docker.service', 'unit', 'docker.service'],
  // Docker
  [`/system.slice/docker-${hex}.scope`, 'container', 'docker-3f2a1b2c3d4e'],
  [`/docker/${hex}`, 'container', 'docker-3f2a1b2c3d4e'],
  [`/docker/${hex}/init`, 'container', 'docker-3f2a1b2c3d4e', 2],
  [`/system.slice/docker-${hex}.scope/system.slice/cron.service`, 'container', 'docker-3f2a1b2c3d4e', 2],
  [`/docker/buildkit/${hex}`, 'container', 'buildkit-3f2a1b2c3d4e'],
  // Kubernetes with the systemd and the cgroupfs driver
  [`/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${slicedUid}.slice/cri-containerd-${hex}.scope`, 'container', 'containerd-3f2a1b2c3d4e'],
  [`/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod${slicedUid}.slice/crio-${hex}.scope`, 'container', 'crio-3f2a1b2c3d4e'],
  [`/kubepods.slice/kubepods-pod${slicedUid}.slice/crio-${hex}.scope/container`, 'container', 'crio-3f2a1b2c3d4e', 3],
  [`/kubepods.slice/kubepods-pod${slicedUid}.slice/docker-${hex}.scope`, 'container', 'docker-3f2a1b2c3d4e'],
  [`/kubepods/burstable/pod${uid}/${hex}`, 'container', 'container-3f2a1b2c3d4e'],
  [`/kubepods/pod${uid}/${hex}`, 'container', 'container-3f2a1b2c3d4e'],
  // Kubernetes in Docker: the inner container is what a person means
  [`/docker/${hex.replaceAll('3f', '00')}/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod${slicedUid}.slice/cri-containerd-${hex}.scope`, 'container', 'containerd-3f2a1b2c3d4e'],
  // Podman
  [`/machine.slice/libpod-${hex}.scope`, 'container', 'podman-3f2a1b2c3d4e'],
  [`/machine.slice/libpod-${hex}.scope/container`, 'container', 'podman-3f2a1b2c3d4e', 2],
  [`/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${hex}.scope/container`, 'container', 'podman-3f2a1b2c3d4e', 5],
  [`/libpod_parent/libpod-${hex}`, 'container', 'podman-3f2a1b2c3d4e'],
  [`/machine.slice/libpod-conmon-${hex}.scope`, 'unit', `libpod-conmon-${hex}.scope`],
  // others
  [`/system.slice/nerdctl-${hex}.scope`, 'container', 'nerdctl-3f2a1b2c3d4e'],
  [`/k8s.io/${hex}`, 'container', 'containerd-3f2a1b2c3d4e'],
  [`/ecs/0f9a8b7c-1111-2222-3333-444455556666/${hex}`, 'container', 'ecs-3f2a1b2c3d4e'],
  ['/ecs/0123456789abcdef0123456789abcdef/0123456789abcdef0123456789abcdef-1234567890', 'container', 'ecs-0123456789ab-1234567890'],
  ['/lxc.payload.web/system.slice/nginx.service', 'container', 'lxc-web', 1],
  ['/lxc/db', 'container', 'lxc-db'],
  ['/lxc.monitor.web', 'cgroup', '/lxc.monitor.web'],
  // nothing known
  ['/system.slice', 'cgroup', '/system.slice'],
  ['/build/job-17', 'cgroup', '/build/job-17'],
  [`/kubepods.slice/kubepods-pod${slicedUid}.slice`, 'cgroup', `/kubepods.slice/kubepods-pod${slicedUid}.slice`],
]

describe('workloadOfCgroup', () => {
  test.each(cases)('%s is the %s %s', (path, kind, name, depth) => {
    const workload = workloadOfCgroup(path)
    expect(workload.kind).toBe(kind)
    expect(workload.name).toBe(name)
    expect(workload.cgroup).toBe(depth === undefined ? path : '/' + path.split('/').slice(1, depth + 1).join('/'))
  })

  test('cgroups of one workload share its id, cgroups of two do not', () => {
    const inside = workloadOfCgroup(`/docker/${hex}/init`)
    expect(workloadOfCgroup(`/docker/${hex}`).id).toBe(inside.id)
    expect(workloadOfCgroup(`/docker/${hex.replace('3', '4')}`).id).not.toBe(inside.id)
    expect(workloadOfCgroup('/user.slice/user-1.slice/user@1.service/app.slice/a.service').id)
      .not.toBe(workloadOfCgroup('/user.slice/user-2.slice/user@2.service/app.slice/a.service').id)
  })
})

test('tasks of the root cgroup are named by their executable, kernel threads are one workload', () => {
  expect(workloadOfExecutable('node')).toEqual({ id: 'executable:node', name: 'node', kind: 'executable', cgroup: null })
  expect(workloadOfExecutable(kernelComm).kind).toBe('kernel')
  expect(workloadOfExecutable('').name).toBe('?')
  expect(workloadOfUnknownCgroup(77)).toMatchObject({ name: 'cgroup 77', kind: 'cgroup', cgroup: null })
})
